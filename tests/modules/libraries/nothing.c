// A library that is no module and says nothing; what it needs may be one.
