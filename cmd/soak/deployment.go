package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// deployment is a replica set in another process.
type deployment struct {
	uri     string
	encoder *json.Encoder
	decoder *json.Decoder
	stop    func()
}

// startDeployment runs this program once more, to serve.
func startDeployment() (*deployment, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "serve")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	d := &deployment{encoder: json.NewEncoder(in), decoder: json.NewDecoder(out), stop: func() { end(cmd, in) }}
	if err := d.decoder.Decode(&d.uri); err != nil {
		d.stop()
		return nil, fmt.Errorf("the deployment did not start: %w", err)
	}
	return d, nil
}

// end lets the process end by itself, or ends it if it does not.
func end(cmd *exec.Cmd, in io.Closer) {
	in.Close()
	defer time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() }).Stop()
	cmd.Wait()
}

// failOver has another node become primary.
func (d *deployment) failOver(k kind, lasts time.Duration) error {
	_, err := d.ask(order{Failover: &k, Lasts: lasts})
	return err
}

func (d *deployment) count() (counts, error) { return d.ask(order{}) }

func (d *deployment) ask(o order) (counts, error) {
	var a answer
	if err := errors.Join(d.encoder.Encode(o), d.decoder.Decode(&a)); err != nil {
		return counts{}, fmt.Errorf("the deployment does not answer: %w", err)
	}
	if a.Error != "" {
		return counts{}, errors.New(a.Error)
	}
	return a.Counts, nil
}
