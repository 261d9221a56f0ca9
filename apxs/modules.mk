# The modules in load order: a module may use what stands before it. One line of libraries each.
MODULES := trestle problem pg auth_jwt identity rest prometheus

LIBS_trestle    :=
LIBS_problem    :=
LIBS_pg         := -lpq
LIBS_auth_jwt   := -lcrypto -ljwt
LIBS_identity   := -ljansson -lcrypto -lsodium -lcrypt -lpq
LIBS_rest       := -lpq
LIBS_prometheus := -lcrypto -lpq
