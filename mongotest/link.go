package mongotest

import "time"

// SetDelay makes all that the node sends to clients arrive that much later. 0
// ends the delay.
func (n *Node) SetDelay(d time.Duration) { n.link.SetDelay(d) }

// SetDeaf makes the network lose what clients send to the node: a partition in
// one direction. As TCP sends lost segments again, all of it arrives when the
// node is not deaf any more, be the client still there or not.
func (n *Node) SetDeaf(deaf bool) { n.link.SetDeaf(deaf) }

// SetMute makes the network lose what the node sends to clients: a partition in
// the other direction. The node carries out what it is asked for, and who waits
// for the reply gets it when the node is not mute any more.
func (n *Node) SetMute(mute bool) { n.link.SetMute(mute) }

// CutReply breaks a connection in the midst of the next reply: the command has
// been carried out, but so many bytes of the reply arrive only, and never all of
// it. Replies to hello, which monitors ask for, do not count. Several calls cut
// as many replies.
func (n *Node) CutReply(bytes int) { n.link.Cut(bytes) }
