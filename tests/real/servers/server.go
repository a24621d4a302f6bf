// Go's net/http with the endpoints that http_battery.py calls "app"; with an argument, ReverseProxy to that URL instead.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
)

var block = make([]byte, 1<<20)

func write(w http.ResponseWriter, n, size int) {
	for ; n > 0; n -= size {
		piece := size
		if n < size {
			piece = n
		}
		if _, err := w.Write(block[:piece]); err != nil {
			return
		}
	}
}

func number(r *http.Request) int {
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	return n
}

func echo(w http.ResponseWriter, r *http.Request) {
	headers := [][2]string{{"Host", r.Host}}
	for name, values := range r.Header {
		for _, value := range values {
			headers = append(headers, [2]string{name, value})
		}
	}
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"method": r.Method, "target": r.RequestURI, "headers": headers})
}

func handle(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/bytes":
		w.Header().Set("Content-Length", strconv.Itoa(number(r)))
		w.Header().Set("Content-Type", "application/octet-stream")
		if r.Method != "HEAD" {
			write(w, number(r), 1<<20)
		}
	case "/stream":
		w.(http.Flusher).Flush()
		write(w, number(r), 1000)
	case "/none":
		w.WriteHeader(204)
	case "/cookies":
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2; Path=/")
		io.WriteString(w, "cookies")
	case "/refuse":
		http.Error(w, "too large", 413)
	case "/early":
		w.Header().Set("Link", "</style.css>; rel=preload; as=style")
		w.WriteHeader(103)
		io.WriteString(w, "late")
	case "/sum":
		sum := sha256.New()
		length, err := io.Copy(sum, r.Body)
		if err != nil {
			log.Println(err)
		}
		fmt.Fprintf(w, "%d %x\n", length, sum.Sum(nil))
	default:
		echo(w, r)
	}
}

func main() {
	for i := range block {
		block[i] = byte(i)
	}
	if len(os.Args) > 1 {
		target, err := url.Parse(os.Args[1])
		if err != nil {
			log.Fatal(err)
		}
		log.Fatal(http.ListenAndServe(":8000", httputil.NewSingleHostReverseProxy(target)))
	}
	log.Fatal(http.ListenAndServe(":8080", http.HandlerFunc(handle)))
}
