// A server and a client of grpc-go that do what applications do and the interoperability cases do not: streams of many small
// messages, many calls at once to a server that lets few, and calls as fast as they go.
//
//	load serve PORT MAX_STREAMS
//	load down|up|unary TARGET COUNT AT_ONCE     streams of COUNT messages, or COUNT calls, AT_ONCE at a time
//
// The client prints what came of them, "ok" or a status, with how often, and ends with 1 unless all are ok.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const limit = 60 * time.Second

func down(_ any, stream grpc.ServerStream) error {
	count := &wrapperspb.Int64Value{}
	if err := stream.RecvMsg(count); err != nil {
		return err
	}
	for i := range count.Value {
		if err := stream.SendMsg(wrapperspb.Int64(i)); err != nil {
			return err
		}
	}
	return nil
}

func up(_ any, stream grpc.ServerStream) error {
	for count := int64(0); ; count++ {
		err := stream.RecvMsg(&wrapperspb.Int64Value{})
		if err == io.EOF {
			return stream.SendMsg(wrapperspb.Int64(count))
		}
		if err != nil {
			return err
		}
	}
}

func unary(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	number := &wrapperspb.Int64Value{}
	err := decode(number)
	return number, err
}

var service = grpc.ServiceDesc{
	ServiceName: "weft.Load",
	HandlerType: (*any)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
	Streams: []grpc.StreamDesc{{StreamName: "Down", ServerStreams: true, Handler: down},
		{StreamName: "Up", ClientStreams: true, Handler: up}},
}

func readAll(ctx context.Context, client *grpc.ClientConn, count int64) error {
	stream, err := client.NewStream(ctx, &service.Streams[0], "/weft.Load/Down")
	if err != nil {
		return err
	}
	if err = stream.SendMsg(wrapperspb.Int64(count)); err != nil {
		return err
	}
	if err = stream.CloseSend(); err != nil {
		return err
	}
	for got := int64(0); ; got++ {
		number := &wrapperspb.Int64Value{}
		err = stream.RecvMsg(number)
		if err == io.EOF && got == count {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%v after %d of %d", status.Convert(err).Message(), got, count)
		}
		if number.Value != got {
			return fmt.Errorf("%d came instead of %d", number.Value, got)
		}
	}
}

func writeAll(ctx context.Context, client *grpc.ClientConn, count int64) error {
	stream, err := client.NewStream(ctx, &service.Streams[1], "/weft.Load/Up")
	if err != nil {
		return err
	}
	for i := range count {
		if err = stream.SendMsg(wrapperspb.Int64(i)); err != nil {
			break // RecvMsg says why
		}
	}
	if err == nil {
		err = stream.CloseSend()
	}
	taken := &wrapperspb.Int64Value{}
	if said := stream.RecvMsg(taken); said != nil {
		return said
	}
	if taken.Value != count {
		return fmt.Errorf("%d of %d were taken", taken.Value, count)
	}
	return err
}

func callAll(ctx context.Context, client *grpc.ClientConn, count int64) error {
	for i := range count {
		number := &wrapperspb.Int64Value{}
		if err := client.Invoke(ctx, "/weft.Load/Unary", wrapperspb.Int64(i), number); err != nil {
			return err
		}
		if number.Value != i {
			return errors.New("another call's response")
		}
	}
	return nil
}

func serve(port, maxStreams string) error {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	most, err := strconv.ParseUint(maxStreams, 10, 32)
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.MaxConcurrentStreams(uint32(most)))
	server.RegisterService(&service, struct{}{})
	return server.Serve(listener)
}

func ask(what, target, counts, atOnce string) error {
	work := map[string]func(context.Context, *grpc.ClientConn, int64) error{"down": readAll, "up": writeAll, "unary": callAll}[what]
	count, err := strconv.ParseInt(counts, 10, 64)
	callers, other := strconv.Atoi(atOnce)
	if err != nil || other != nil || work == nil {
		return errors.New("load down|up|unary TARGET COUNT AT_ONCE")
	}
	client, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	results := make(chan error, callers)
	var begin sync.WaitGroup
	begin.Add(1)
	for range callers {
		go func() {
			begin.Wait()
			results <- work(ctx, client, count)
		}()
	}
	begin.Done()
	failed := map[string]int{}
	for range callers {
		if err := <-results; err != nil {
			failed[err.Error()]++
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%v", failed)
	}
	fmt.Println("ok")
	return nil
}

func main() {
	err := errors.New("load serve|down|up|unary …")
	if len(os.Args) == 4 && os.Args[1] == "serve" {
		err = serve(os.Args[2], os.Args[3])
	} else if len(os.Args) == 5 {
		err = ask(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
