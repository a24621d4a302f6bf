// What a program does under ThreadSanitizer. It is compiled in, because a mesh gives its control plane and
// its sidecars environments of their own, which TSAN_OPTIONS does not reach. A report is a file in the
// build's folder reports; scripts/run_tests.py counts each as a failure. The process goes on, so that one
// report does not hide the next, and ends with 66 instead of 0.
extern "C" const char* __tsan_default_options() {
  return "halt_on_error=0:second_deadlock_stack=1:log_path=" WEFT_TSAN_REPORTS "/report";
}
