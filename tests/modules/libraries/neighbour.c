// A library beside a module, which finds it by $ORIGIN.

int neighbour(void) { return 77; }
