#!/usr/bin/perl
# An independent SMPP client (Net::SMPP, which does no character set work at all): one dialogue, told as JSON lines.
# perl.pl PORT SYSTEM_ID PASSWORD KIND: binds; then each line of stdin is a JSON command:
#   {"op":"submit","to":…,"hex":…,"data_coding":n,"esm_class":n,"registered":n}   {"op":"read"}: the next deliver_sm, answered
#   {"op":"enquire"}   {"op":"query","id":…,"from":…}   {"op":"cancel","id":…}   {"op":"unbind"}
use strict;
use warnings;
use JSON::PP;
use Net::SMPP;
$| = 1;
my ($port, $system_id, $password, $kind) = @ARGV;
my $json = JSON::PP->new->canonical;
sub say_json { print $json->encode($_[0]), "\n" }

my %arguments = (port => $port, system_id => $system_id, password => $password, smpp_version => 0x34, interface_version => 0x34);
my ($smpp, $response) = $kind eq 'receiver' ? Net::SMPP->new_receiver('127.0.0.1', %arguments)
                      : $kind eq 'transmitter' ? Net::SMPP->new_transmitter('127.0.0.1', %arguments)
                      : Net::SMPP->new_transceiver('127.0.0.1', %arguments);
say_json({event => 'bound', status => $response ? $response->status : -1, $response ? (system_id => $response->{system_id}) : ()});
exit 0 unless $smpp && $response && $response->status == 0;

my @early;                       # deliver_sm that came while a response was awaited
sub answer_to {                  # reads until the response with this sequence number
  my ($seq) = @_;
  while (my $pdu = $smpp->read_pdu) {
    return $pdu if $pdu->seq == $seq && $pdu->cmd & 0x80000000;
    push @early, $pdu if $pdu->cmd == Net::SMPP::CMD_deliver_sm;
  }
  return undef;
}

while (my $line = <STDIN>) {
  my $command = $json->decode($line);
  my $op = $command->{op};
  if ($op eq 'submit') {
    my $seq = $smpp->submit_sm(async => 1, source_addr_ton => 1, source_addr_npi => 1, source_addr => '15550100', dest_addr_ton => 1, dest_addr_npi => 1,
      destination_addr => $command->{to}, data_coding => $command->{data_coding} // 0, esm_class => $command->{esm_class} // 0,
      registered_delivery => $command->{registered} // 0, short_message => pack('H*', $command->{hex}));
    my $pdu = answer_to($seq);
    say_json({event => 'submit_sm_resp', status => $pdu->status, message_id => $pdu->{message_id}});
  } elsif ($op eq 'read') {
    my $pdu = shift(@early) || $smpp->read_pdu;
    $smpp->deliver_sm_resp(seq => $pdu->seq, message_id => '');
    say_json({event => 'deliver_sm', source_addr => $pdu->{source_addr}, destination_addr => $pdu->{destination_addr}, esm_class => $pdu->{esm_class},
      data_coding => $pdu->{data_coding}, hex => unpack('H*', $pdu->{short_message} // ''), receipted_message_id => $pdu->{receipted_message_id},
      message_state => defined $pdu->{message_state} ? unpack('C', $pdu->{message_state}) : undef});
  } elsif ($op eq 'enquire') {
    say_json({event => 'enquire_link_resp', status => answer_to($smpp->enquire_link(async => 1))->status});
  } elsif ($op eq 'query') {
    my $pdu = answer_to($smpp->query_sm(async => 1, message_id => $command->{id}, source_addr_ton => 1, source_addr_npi => 1, source_addr => $command->{from}));
    say_json({event => 'query_sm_resp', status => $pdu->status, state => $pdu->{message_state}, id => $pdu->{message_id}, final_date => $pdu->{final_date}});
  } elsif ($op eq 'cancel') {
    my $pdu = answer_to($smpp->cancel_sm(async => 1, message_id => $command->{id}, source_addr_ton => 1, source_addr_npi => 1, source_addr => '15550100',
      dest_addr_ton => 1, dest_addr_npi => 1, destination_addr => $command->{to}));
    say_json({event => 'cancel_sm_resp', status => $pdu->status});
  } elsif ($op eq 'unbind') {
    say_json({event => 'unbind_resp', status => answer_to($smpp->unbind(async => 1))->status});
  }
}
