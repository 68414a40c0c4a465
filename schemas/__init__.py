"""The language of lotstream: contracts of every topic, identifiers, codecs, partitions. No I/O, no clock."""
