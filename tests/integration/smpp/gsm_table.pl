#!/usr/bin/perl
# GSM 03.38 as Perl's own Encode has it: a line "U+20AC 1b65" for each character of the basic plane that it can write.
use strict;
use warnings;
use Encode qw(encode FB_CROAK);

for my $code (0 .. 0xD7FF, 0xE000 .. 0xFFFD) {
  my $character = chr $code;
  my $octets = eval { encode('gsm0338', $character, FB_CROAK) };
  printf "U+%04X %s\n", $code, unpack('H*', $octets) if defined $octets && length $octets;
}
