"""Networks that decide at run time, computed so that what is not asked for costs no time."""
