// The first process of a pod's sandbox and of a node: it does nothing but collect processes that lost their parent, and
// ends when it is told to.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGCHLD, syscall.SIGTERM, syscall.SIGINT)
	for {
		// One SIGCHLD may stand for several children, and children may have ended before we listened.
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if err != syscall.EINTR && pid <= 0 {
				break
			}
		}
		if <-signals != syscall.SIGCHLD {
			return
		}
	}
}
