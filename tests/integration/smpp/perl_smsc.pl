#!/usr/bin/perl
# An SMS centre made from Net::SMPP, for one connection: answers what it is asked, sends a receipt for every submit_sm and
# what it is told on standard input: lines {"deliver":{…Net::SMPP's fields, short_message in hexadecimal…}}.
# Says {"listening":PORT}, {"bind":…}, {"submit":{…}}, {"delivered":STATUS}, {"unbound":true} on standard output.
use strict;
use warnings;
use IO::Select;
use JSON::PP;
use Net::SMPP;

$| = 1;
my $json = JSON::PP->new->canonical;
sub say_line { print $json->encode(shift), "\n" }

my $listener = Net::SMPP->new_listen('127.0.0.1', port => 0, smpp_version => 0x34, timeout => 60) or die "listen: $!";
say_line({listening => $listener->sockport});
my $peer = $listener->accept or die "accept: $!";
$peer->set_version(0x34);
my ($id, $lines) = (1000, '');

sub handle {
  my $pdu = shift;
  my $command = $pdu->{cmd};
  if ($command == Net::SMPP::CMD_bind_transceiver) {
    say_line({bind => $pdu->{system_id}, password => $pdu->{password}});
    $peer->bind_transceiver_resp(system_id => 'PERL', seq => $pdu->{seq}, status => 0);
  } elsif ($command == Net::SMPP::CMD_enquire_link) {
    $peer->enquire_link_resp(seq => $pdu->{seq});
  } elsif ($command == Net::SMPP::CMD_submit_sm) {
    $id++;
    say_line({submit => {from => $pdu->{source_addr}, to => $pdu->{destination_addr}, data_coding => $pdu->{data_coding} + 0,
                         esm_class => $pdu->{esm_class} + 0, octets => unpack('H*', $pdu->{short_message}), id => "$id"}});
    $peer->submit_sm_resp(message_id => "$id", seq => $pdu->{seq}, status => 0);
    $peer->deliver_sm(source_addr_ton => 1, source_addr_npi => 1, source_addr => $pdu->{destination_addr}, dest_addr_ton => 1,
                      dest_addr_npi => 1, destination_addr => $pdu->{source_addr}, esm_class => 4, async => 1,
                      short_message => "id:$id sub:001 dlvrd:001 submit date:2611221209 done date:2611221210 stat:DELIVRD err:000 text:");
  } elsif ($command == Net::SMPP::CMD_unbind) {
    say_line({unbound => JSON::PP::true});
    $peer->unbind_resp(seq => $pdu->{seq});
    exit 0;
  } elsif ($command == (Net::SMPP::CMD_deliver_sm | 0x80000000)) {
    say_line({delivered => $pdu->{status} + 0});
  } else {
    say_line({unexpected => sprintf('0x%08x', $command)});
  }
}

my $select = IO::Select->new($peer, \*STDIN);
while (1) {
  for my $ready ($select->can_read) {
    if ($ready == $peer) {
      my $pdu = $peer->read_pdu or exit 0;
      handle($pdu);
    } else {
      sysread(STDIN, $lines, 65536, length $lines) or exit 0;
      while ($lines =~ s/^(.*)\n//) {
        my $fields = $json->decode($1)->{deliver};
        $fields->{short_message} = pack('H*', $fields->{short_message});
        $peer->deliver_sm(%$fields, async => 1);
      }
    }
  }
}
