#pragma once

#include <thread>

#include "proxy/worker.h"

namespace weft::proxy {

/// A worker on a thread and a loop of its own.
///
/// Owner: DataPlane. Thread: the main one.
class WorkerThread {
 public:
  WorkerThread(unsigned index, const ProcessLimits& limits);
  /// Ends the loop, and with it every connection, and waits for the thread.
  ~WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  void start();
  /// What is to be done with the worker is posted to its loop.
  Worker& worker() { return worker_; }

 private:
  unsigned index_;
  net::Loop loop_;
  Worker worker_;
  std::thread thread_;
};

}  // namespace weft::proxy
