"""RNP: every image decides, layer by layer, how many channels are computed for it."""
