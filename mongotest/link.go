package mongotest

import (
	"slices"
	"time"
)

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

// CutReplies breaks the connections of the next replies, one for each argument:
// the command has been carried out, but only so many bytes of the reply arrive,
// and never all of it. Replies to hello, which monitors ask for, do not count.
// Cuts that are still to come are replaced; without arguments there are none.
func (n *Node) CutReplies(bytes ...int) { n.link.Cut(slices.Clone(bytes)) }
