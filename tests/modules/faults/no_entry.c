// A shared library like any other: it has no entry.

int plinth_module_start(void) { return 0; }
