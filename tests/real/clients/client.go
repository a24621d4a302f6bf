// Go's http.Client.   client.go URL COUNT
package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
)

func show(what string, response *http.Response, err error) {
	if err != nil {
		log.Fatal(what, ": ", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(what, ": ", err)
	}
	fmt.Println(what, response.StatusCode, len(body), response.ContentLength, fmt.Sprintf("%x", sha256.Sum256(body))[:16])
}

func main() {
	url := os.Args[1]
	count, _ := strconv.Atoi(os.Args[2])
	var all sync.WaitGroup
	for i := 0; i < count; i++ {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			response, err := http.Get(fmt.Sprintf("%s/bytes?n=%d", url, n))
			if err != nil {
				log.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || response.StatusCode != 200 || len(body) != n {
				log.Fatal(response.Status, len(body), err)
			}
		}(i)
	}
	all.Wait()
	response, err := http.Post(url+"/sum", "text/plain", bytes.NewReader(make([]byte, 3000000)))
	show("length", response, err)
	response, err = http.Post(url+"/sum", "text/plain", io.LimitReader(bytes.NewReader(make([]byte, 3000000)), 2000000))
	show("chunked", response, err)
	request, _ := http.NewRequest("POST", url+"/sum", bytes.NewReader(make([]byte, 1000)))
	request.Header.Set("Expect", "100-continue")
	response, err = (&http.Client{Transport: &http.Transport{ExpectContinueTimeout: 10e9}}).Do(request)
	show("expect", response, err)
	response, err = http.Get(url + "/stream?n=2000000")
	show("stream", response, err)
	response, err = http.Head(url + "/bytes?n=5")
	show("head", response, err)
	response, err = http.Get(url + "/none")
	show("none", response, err)
}
