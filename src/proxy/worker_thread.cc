#include "proxy/worker_thread.h"

#include <pthread.h>

namespace weft::proxy {

WorkerThread::WorkerThread(unsigned index, const ProcessLimits& limits)
    : index_(index), worker_(loop_, {.limits = limits, .connector = {}, .random = {}}) {}

WorkerThread::~WorkerThread() {
  if (!thread_.joinable()) return;
  loop_.stop();
  thread_.join();
}

void WorkerThread::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), ("worker-" + std::to_string(index_)).c_str());
    loop_.run();
    worker_.end_everything();
  });
}

}  // namespace weft::proxy
