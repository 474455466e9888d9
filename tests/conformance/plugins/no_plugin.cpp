// A shared object that is no connector, for the loader's test.
extern "C" int something_else() { return 1; }
