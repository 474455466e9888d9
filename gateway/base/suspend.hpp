// Suspends a coroutine until somebody resumes it: the bridge from callbacks to co_await.
//
// g++ 12 corrupts memory on a capturing lambda inside a co_await expression, so build it first:
//   auto start = [this](base::Resume resume) { waiting_.push_back(std::move(resume)); };
//   co_await base::suspend(std::move(start));
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace wherry {
namespace asio = boost::asio;
}

namespace wherry::base {

// Continues one suspended coroutine, once. A Resume destroyed uncalled destroys its coroutine with it.
// Call it on the coroutine's own executor thread; the coroutine continues after the caller has returned to the loop.
class Resume {
 public:
  template <class Handler>
  explicit Resume(Handler handler) : target_(std::make_unique<Target<Handler>>(std::move(handler))) {}

  void operator()(std::exception_ptr error = nullptr) {
    auto target = std::move(target_);
    target->post(std::move(error));
  }

  // Continues all of them in one turn of the loop, in their order: cheaper than a turn for each.
  static void all(std::vector<Resume> waiting, std::exception_ptr error) {
    if (waiting.empty()) return;
    const auto executor = waiting.front().target_->executor();
    asio::post(executor, [waiting = std::move(waiting), error = std::move(error)]() mutable {
      for (Resume& resume : waiting) std::exchange(resume.target_, nullptr)->resume(error);
    });
  }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual asio::any_io_executor executor() const = 0;
    virtual void post(std::exception_ptr error) = 0;
    virtual void resume(std::exception_ptr error) = 0;  // inside this call
  };
  template <class Handler>
  struct Target final : Base {
    explicit Target(Handler h) : handler(std::move(h)) {}
    asio::any_io_executor executor() const override { return asio::get_associated_executor(handler); }
    void resume(std::exception_ptr error) override { std::move(handler)(std::move(error)); }
    void post(std::exception_ptr error) override {
      const auto executor = asio::get_associated_executor(handler);
      asio::post(executor, [handler = std::move(handler), error = std::move(error)]() mutable {
        std::move(handler)(std::move(error));
      });
    }
    Handler handler;
  };
  std::unique_ptr<Base> target_;
};

// Calls start(Resume) and waits until that Resume is called; an error given to it is thrown here.
// Not cancellable: whoever holds the Resume decides when the wait ends.
template <class Start>
asio::awaitable<void> suspend(Start start) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
      [start = std::move(start)](auto handler) mutable { start(Resume(std::move(handler))); }, asio::use_awaitable);
}

}  // namespace wherry::base
