// Package changestream keeps a change stream going: which errors it resumes
// after, with which token, and how the fragments of a large event become one.
// The decisions are pure (resume.go); Stream carries them out around a cursor
// of package ops.
//
// A change stream is a cursor of an aggregate that starts with $changeStream. To
// resume is to open another in the place of one that failed, so that no event is
// missed or comes twice. A resume token is the document that a server gives as
// an event's _id, or as the batch's postBatchResumeToken; the latest is cached.
// A Start is where a stream begins: after a token (resumeAfter, startAfter), at
// an operation time, or now. A Position is how far it has come, which says with
// what Start it is resumed. A fragment is a part of an event that is greater than
// a document may be ($changeStreamSplitLargeEvent).
//
// The specification is change-streams.
package changestream
