// A database that refuses so many statements, when it is told to.
#pragma once

#include "gateway/db/database.hpp"

#include <memory>
#include <utility>

namespace wherry::tests {

class Refusing final : public db::Driver, private db::Transaction {
 public:
  // `left`: how many are to be refused yet. Set it while nothing runs.
  Refusing(std::unique_ptr<db::Driver> driver, std::shared_ptr<int> left)
      : driver_(std::move(driver)), left_(std::move(left)) {}

  void begin() override { driver_->begin(); }
  db::Transaction& transaction() override { return *this; }
  void commit() override { driver_->commit(); }
  void rollback() noexcept override { driver_->rollback(); }
  void run_script(const std::string& sql) override { driver_->run_script(sql); }
  std::string_view dialect() const override { return driver_->dialect(); }

 private:
  db::Rows query(std::string_view sql, std::span<const db::Value> parameters) override {
    return driver_->transaction().query(sql, parameters);
  }
  void execute(std::string_view sql, std::span<const db::Value> parameters) override {
    if (*left_ > 0) {
      --*left_;
      throw db::StatementFailed("not now");
    }
    driver_->transaction().execute(sql, parameters);
  }

  std::unique_ptr<db::Driver> driver_;
  std::shared_ptr<int> left_;
};

}  // namespace wherry::tests
