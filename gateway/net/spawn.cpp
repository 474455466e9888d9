#include "gateway/net/spawn.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <iterator>
#include <spawn.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace wherry::net {

namespace {

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    if (read >= 0) ::close(read);
    if (write >= 0) ::close(write);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
};

struct Pipes {
  Pipe in, out, err;  // named after the process's ends
};

int release(int& descriptor) { return std::exchange(descriptor, -1); }

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (std::string& s : strings) list.push_back(s.data());
  list.push_back(nullptr);
  return list;
}

// Nothing of the gateway's environment but what finds programs and decodes text: it may hold the gateway's secrets.
std::vector<std::string> minimal_environment() {
  std::vector<std::string> environment{"LANG=C.UTF-8"};
  for (const char* name : {"PATH", "HOME", "TZ"}) {
    if (const char* value = std::getenv(name)) environment.push_back(std::string(name) + "=" + value);
  }
  return environment;
}

// Returns errno.
int start(std::vector<std::string> command, std::vector<std::string> environment, const Pipes& pipes, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipes.in.read, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipes.out.write, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipes.err.write, STDERR_FILENO);
  // Sockets of Asio are not close-on-exec: the process could write into anybody's stream, and would keep the gateway's
  // connections and ports alive after its end.
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  sigset_t signals;
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  const int failed = ::posix_spawnp(&pid, command[0].c_str(), &actions, &attributes, pointers(command).data(),
                                    pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

}  // namespace

base::Result<Spawned> spawn(std::vector<std::string> command, std::vector<std::string> environment) {
  if (command.empty() || command[0].empty()) return base::Error{base::Errc::bad_input, "the command is empty", {}};
  std::vector<std::string> whole = minimal_environment();
  whole.insert(whole.end(), std::make_move_iterator(environment.begin()), std::make_move_iterator(environment.end()));
  const std::string name = command[0];
  Pipes pipes;
  Spawned spawned;
  if (const int failed = start(std::move(command), std::move(whole), pipes, spawned.pid)) {
    return base::Error{
        base::Errc::bad_input, "cannot start \"" + name + "\": " + std::generic_category().message(failed), {}};
  }
  spawned.in = release(pipes.in.write);
  spawned.out = release(pipes.out.read);
  spawned.err = release(pipes.err.read);
  return spawned;
}

}  // namespace wherry::net
