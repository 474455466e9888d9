// How one names a contact, in the languages that somebody has written down here; English is in the connector.
#pragma once

#include "gateway/connector/contract.hpp"

namespace wherry::oscar {

inline std::map<std::string, connector::ContactPrompt> icq_prompts() {
  return {
      {"de", {"ICQ-Nummer", "Nur Ziffern, wie 123456789."}},
      {"es", {"Número de ICQ", "Solo cifras, como 123456789."}},
      {"fr", {"Numéro ICQ", "Des chiffres seulement, comme 123456789."}},
      {"ru", {"Номер ICQ", "Только цифры, например 123456789."}},
  };
}

inline std::map<std::string, connector::ContactPrompt> aim_prompts() {
  return {
      {"de", {"AIM-Name", "Groß- und Kleinschreibung und Leerzeichen sind gleichgültig."}},
      {"es", {"Nombre de AIM", "Las mayúsculas y los espacios no importan."}},
      {"fr", {"Nom AIM", "Les majuscules et les espaces ne comptent pas."}},
      {"ru", {"Имя в AIM", "Регистр и пробелы не важны."}},
  };
}

}  // namespace wherry::oscar
