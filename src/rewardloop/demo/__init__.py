"""The demonstration: the whole loop on a labelled data set, played against a real server and a real loop."""
