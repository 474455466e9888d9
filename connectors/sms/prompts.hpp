// How one names a contact, in the languages that somebody has written down here; English is in SmsConnector::describe.
#pragma once

#include "gateway/connector/contract.hpp"

namespace wherry::sms {

inline std::map<std::string, connector::ContactPrompt> contact_prompts() {
  return {
      {"de", {"Telefonnummer", "Mit Ländervorwahl, wie +1 415 555 0132."}},
      {"es", {"Número de teléfono", "Con el prefijo del país, como +1 415 555 0132."}},
      {"fr", {"Numéro de téléphone", "Avec l'indicatif du pays, comme +1 415 555 0132."}},
      {"it", {"Numero di telefono", "Con il prefisso internazionale, come +1 415 555 0132."}},
      {"nl", {"Telefoonnummer", "Met landnummer, zoals +1 415 555 0132."}},
      {"pl", {"Numer telefonu", "Z numerem kierunkowym kraju, na przykład +1 415 555 0132."}},
      {"pt", {"Número de telefone", "Com o código do país, como +1 415 555 0132."}},
      {"ru", {"Номер телефона", "С кодом страны, например +1 415 555 0132."}},
      {"sv", {"Telefonnummer", "Med landskod, som +1 415 555 0132."}},
  };
}

}  // namespace wherry::sms
