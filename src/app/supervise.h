#pragma once

namespace weft::app {

/// `weft supervise`: process 1 of an instance, started by `weft up` in namespaces of its own, never typed by
/// hand. Exit codes: 0 ended in order, 1 could not start (the reason is on --report-fd too), 2 wrong command
/// line.
int supervise_main(int argc, char** argv);

}  // namespace weft::app
