// Package changestream keeps a change stream going: which errors it resumes
// after, with which token, and how the fragments of a large event become one.
// The decisions are pure (resume.go); Stream carries them out around a cursor
// of package ops.
//
// The specification is change-streams. A resume token is the document that a
// server gives as an event's _id, or as the batch's postBatchResumeToken.
package changestream
