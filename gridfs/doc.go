// Package gridfs stores files of any size in a database. It follows the GridFS
// specification, so other drivers read what it wrote, and it what they wrote.
//
//	bucket := gridfs.NewBucket(client.Database("media"))
//	id, err := bucket.UploadFromStream(ctx, "cat.mp4", source)
//	...
//	_, err = bucket.DownloadToStream(ctx, id, destination)
//
// # Vocabulary
//
// A bucket is a pair of collections: the files collection, "fs.files", with one
// files collection document per file, and the chunks collection, "fs.chunks",
// with the file's bytes. All chunks of a file have its chunk size, 255 KiB by
// default; the last is as small as it can be. A file is known by its id, of any
// type that can be an _id. Its filename need not be unique: files with the same
// name are revisions, told apart by their upload date. An orphaned chunk belongs
// to no file.
//
// # Streams
//
// An UploadStream is an io.WriteCloser. The file comes into being when Close
// returns nil, not before. An upload that is not to be finished is aborted,
// which deletes its chunks:
//
//	stream, err := bucket.OpenUploadStream(ctx, "report.csv")
//	if err != nil { ... }
//	if err := report.Render(stream); err != nil {
//		stream.Abort(ctx)
//		return err
//	}
//	return stream.Close()
//
// A DownloadStream is an io.ReadSeekCloser and an io.WriterTo. Only the chunks
// that are read are fetched. Each is checked to be the expected one and of the
// expected length; if not, the error is a *ChunkError.
//
// # Contexts
//
// The context that a stream is opened with belongs to all that the stream does:
// its deadline bounds the stream as a whole, and its session makes the stream
// part of a causally consistent session or of a transaction. The timeoutMS of the
// bucket, its database or motor.WithTimeout bounds the stream as a whole, too, and
// any other operation of the bucket with all of its commands. Time that a source
// takes to be read, or a destination to be written to, counts, but is not cut
// off.
//
// # Finding files
//
// Find queries the files collection. Metadata is matched by its path:
//
//	bucket.Find(ctx, bson.D{{"metadata.album", "holidays"}}, motor.FindOptions{Sort: bson.D{{"uploadDate", -1}}})
//
// # What is not here
//
// Neither the md5 of a file, nor its contentType and aliases, are written: the
// specification has deprecated them. Metadata is the place for them. They are
// read, as File.Other.
package gridfs
