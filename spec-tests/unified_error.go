package spectests

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// expectedError is what a test asserts of an error.
type expectedError struct {
	IsError            bool          `spec:"optional"`
	IsClientError      *bool         `spec:"optional"`
	IsTimeoutError     *bool         `spec:"optional"`
	ErrorContains      string        `spec:"optional"`
	ErrorCode          *int32        `spec:"optional"`
	ErrorCodeName      string        `spec:"optional"`
	ErrorLabelsContain []string      `spec:"optional"`
	ErrorLabelsOmit    []string      `spec:"optional"`
	WriteErrors        bson.Raw      `spec:"optional"`
	WriteConcernErrors []bson.Raw    `spec:"optional"`
	ErrorResponse      bson.RawValue `spec:"optional"`
	ExpectResult       bson.RawValue `spec:"optional"`
}

// serverError is one error that a server reported.
type serverError struct {
	code  int32
	name  string
	reply bson.Raw
}

// serverErrors are the errors of servers in err's tree.
func serverErrors(err error) (list []serverError) {
	switch e := err.(type) {
	case nil:
		return nil
	case *motor.CommandError:
		list = append(list, serverError{e.Code, e.Name, e.Reply})
	case *motor.WriteConcernError:
		list = append(list, serverError{e.Code, e.Name, e.Reply})
	case *motor.WriteError:
		list = append(list, serverError{e.Code, e.Name, e.Raw})
	}
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			list = append(list, serverErrors(inner)...)
		}
	case interface{ Unwrap() error }:
		list = append(list, serverErrors(e.Unwrap())...)
	}
	return list
}

// check says what of err, with the result that came with it, is not as
// expected.
func (x *expectedError) check(m matcher, err error, res outcome) error {
	if err == nil {
		return errors.New("there was no error")
	}
	server := serverErrors(err)
	if x.IsClientError != nil && *x.IsClientError != (len(server) == 0) {
		return fmt.Errorf("isClientError is not %v: %w", *x.IsClientError, err)
	}
	if x.IsTimeoutError != nil && *x.IsTimeoutError != errors.Is(err, motor.ErrTimeout) {
		return fmt.Errorf("isTimeoutError is not %v: %w", *x.IsTimeoutError, err)
	}
	if !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(x.ErrorContains)) {
		return fmt.Errorf("%q is not in the error: %w", x.ErrorContains, err)
	}
	if x.ErrorCode != nil && !slices.ContainsFunc(server, func(s serverError) bool { return s.code == *x.ErrorCode }) {
		return fmt.Errorf("the code is not %d: %w", *x.ErrorCode, err)
	}
	if x.ErrorCodeName != "" && !slices.ContainsFunc(server, func(s serverError) bool { return strings.EqualFold(s.name, x.ErrorCodeName) }) {
		return fmt.Errorf("the code name is not %s: %w", x.ErrorCodeName, err)
	}
	for _, label := range x.ErrorLabelsContain {
		if !motor.HasErrorLabel(err, label) {
			return fmt.Errorf("the label %s is missing: %w", label, err)
		}
	}
	for _, label := range x.ErrorLabelsOmit {
		if motor.HasErrorLabel(err, label) {
			return fmt.Errorf("the label %s is there: %w", label, err)
		}
	}
	if err := x.checkResponse(m, server, err); err != nil {
		return err
	}
	if err := x.checkBulk(m, err); err != nil {
		return err
	}
	if x.ExpectResult.IsZero() {
		return nil
	}
	return res.check(m, x.ExpectResult)
}

func (x *expectedError) checkResponse(m matcher, server []serverError, err error) error {
	if x.ErrorResponse.IsZero() {
		return nil
	}
	for _, s := range server {
		if s.reply == nil {
			continue
		}
		return m.match("errorResponse", x.ErrorResponse, document(s.reply), true)
	}
	return fmt.Errorf("there is no response of a server: %w", err)
}

// checkBulk compares the errors of a client's bulk write.
func (x *expectedError) checkBulk(m matcher, err error) error {
	if x.WriteErrors == nil && x.WriteConcernErrors == nil {
		return nil
	}
	var bulk *motor.BulkWriteError
	if !errors.As(err, &bulk) {
		return fmt.Errorf("this is no error of a bulk write: %w", err)
	}
	if x.WriteErrors != nil {
		if err := x.checkWriteErrors(m, bulk); err != nil {
			return err
		}
	}
	if x.WriteConcernErrors != nil {
		return x.checkWriteConcernErrors(m, bulk)
	}
	return nil
}

func (x *expectedError) checkWriteErrors(m matcher, bulk *motor.BulkWriteError) error {
	if n, want := len(bulk.WriteErrors), x.WriteErrors.Len(); n != want {
		return fmt.Errorf("there are %d write errors, want %d: %w", n, want, bulk)
	}
	for _, got := range bulk.WriteErrors {
		key := strconv.Itoa(got.Index)
		if err := m.match("writeErrors."+key, x.WriteErrors.Lookup(key), document(got.Raw), true); err != nil {
			return err
		}
	}
	return nil
}

func (x *expectedError) checkWriteConcernErrors(m matcher, bulk *motor.BulkWriteError) error {
	if n, want := len(bulk.WriteConcernErrors), len(x.WriteConcernErrors); n != want {
		return fmt.Errorf("there are %d write concern errors, want %d: %w", n, want, bulk)
	}
	for i, want := range x.WriteConcernErrors {
		e := bulk.WriteConcernErrors[i]
		got, err := bson.MarshalValue(bson.D{{Key: "code", Value: e.Code}, {Key: "message", Value: e.Message}, {Key: "details", Value: e.Details}})
		if err != nil {
			return err
		}
		if err := m.match("writeConcernErrors."+strconv.Itoa(i), document(want), got, true); err != nil {
			return err
		}
	}
	return nil
}

// document is doc as a value.
func document(doc bson.Raw) bson.RawValue {
	return bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: doc}
}
