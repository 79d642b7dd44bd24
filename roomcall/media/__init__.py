"""Pictures and sounds: from sources to packets for all peers, and from packets to who looks."""
