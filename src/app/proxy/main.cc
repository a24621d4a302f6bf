#include "app/proxy_main.h"

int main(int argc, char** argv) { return weft::app::proxy_main(argc, argv); }
