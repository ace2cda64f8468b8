package mongod

import (
	"errors"
	"fmt"

	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// Error is what the server answers where it refuses a command.
type Error struct {
	Code    int32 // 0 for the errors that have none
	Message string
	// Labels replace those that follow from the code, if not nil.
	Labels []string
	// More are fields that go with the error.
	More *doc
}

func (e *Error) Error() string { return e.Message }

func errorf(code int32, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// errHangUp ends the connection instead of an answer.
var errHangUp = errors.New("close the connection")

// The codes that this package answers with.
const (
	codeInternalError               = 1
	codeBadValue                    = 2
	codeGraphContainsCycle          = 5
	codeFailedToParse               = 9
	codeUnauthorized                = 13
	codeTypeMismatch                = 14
	codeOverflow                    = 15
	codeInvalidLength               = 16
	codeProtocolError               = 17
	codeAuthenticationFailed        = 18
	codeIllegalOperation            = 20
	codeInvalidBSON                 = 22
	codeNamespaceNotFound           = 26
	codeIndexNotFound               = 27
	codeCursorNotFound              = 43
	codeNamespaceExists             = 48
	codeMaxTimeMSExpired            = 50
	codeCommandNotFound             = 59
	codeUnknownError                = 8
	codeAlreadyInitialized          = 23
	codeShardKeyNotFound            = 61
	codeWriteConcernFailed          = 64
	codeCannotCreateIndex           = 67
	codeInvalidOptions              = 72
	codeClusterTimeFailsRateLimiter = 205
	codeInvalidNamespace            = 73
	codeNoReplicationEnabled        = 76
	codeUnknownWriteConcern         = 79
	codeIndexOptionsConflict        = 85
	codeIndexKeySpecsConflict       = 86
	codeShutdownInProgress          = 91
	codeUnsatisfiableWC             = 100
	codeWriteConflict               = 112
	codeCommandNotSupported         = 115
	codeConflictingOperation        = 117
	codeDocumentValidation          = 121
	codeNotAReplicaSet              = 123
	codeCommandFailed               = 125
	codeNotSupportedOnView          = 166
	codeOptionNotOnView             = 167
	codeQueryPlanKilled             = 175
	codeAmbiguousIndexKey           = 181
	codeClientMetadataMissing       = 183
	codeAppNameTooLarge             = 184
	codeClientMetadataTooLarge      = 185
	codeClientMetadataMutated       = 186
	codePrimarySteppedDown          = 189
	codeInvalidUUID                 = 207
	codeTooManyLogicalSessions      = 211
	codeTransactionTooOld           = 225
	codeCursorKilled                = 237
	codeSnapshotTooOld              = 239
	codeSnapshotUnavailable         = 246
	codeNoSuchTransaction           = 251
	codeTransactionCommitted        = 256
	codeNotSupportedInTxn           = 263
	codeFailPointSetFailed          = 266
	codeExceedsTimeLimit            = 262
	codeChangeStreamFatal           = 280
	codeChangeStreamHistoryLost     = 286
	codeAPIVersion                  = 322
	codeAPIStrict                   = 323
	codeAPIDeprecation              = 324
	codeLoadBalancerMismatch        = 354
	codeNotWritablePrimary          = 10107
	codeObjectTooLarge              = 10334
	codeDuplicateKey                = 11000
	codeInterruptedAtShutdown       = 11600
	codeInterrupted                 = 11601
	codeInterruptedRepl             = 11602
	codeNoSecondaryOk               = 13435
	codeNotPrimaryOrSecondary       = 13436
	codeDuplicateField              = 40413
	codeMissingField                = 40414
	codeUnknownField                = 40415
	codeUnknownStage                = 40324
)

// asError makes any error one that can be answered.
func asError(err error) *Error {
	switch e := err.(type) {
	case *Error:
		return e
	case *query.Error:
		return &Error{Code: e.Code, Message: e.Message}
	case *storage.DuplicateKey:
		more := newDoc()
		more.doc("keyPattern", e.Index.Key)
		more.doc("keyValue", e.Value)
		return &Error{Code: codeDuplicateKey, Message: e.Error(), More: more}
	}
	switch {
	case errors.Is(err, storage.ErrNotWritable):
		return errorf(codeNotWritablePrimary, "not master")
	case errors.Is(err, storage.ErrWriteConflict):
		return errorf(codeWriteConflict, "%s", err)
	}
	return errorf(codeInternalError, "%s", err)
}

// isRetryable are the codes with which a retryable write may be tried again.
func isRetryable(code int32) bool {
	switch code {
	case 6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436:
		return true
	}
	return false
}

// isStateChange are the codes that tell of a change of the node's state, with
// the topologyVersion.
func isStateChange(code int32) bool {
	switch code {
	case codePrimarySteppedDown, codeNotWritablePrimary, codeInterruptedRepl, codeNoSecondaryOk, codeNotPrimaryOrSecondary:
		return true
	}
	return false
}

// isTransient are the codes after which a whole transaction may be tried again.
// ending says that it was about to be committed or aborted.
func isTransient(code int32, ending bool) bool {
	switch code {
	case 24, codeWriteConflict, codeSnapshotTooOld, codeSnapshotUnavailable, codeNoSuchTransaction, 267:
		return true
	}
	return !ending && isRetryable(code)
}

// isResumable are the codes after which a change stream may be resumed.
func isResumable(code int32) bool {
	switch code {
	case 63, 133, 150, 234, 13388:
		return true
	}
	return isRetryable(code)
}
