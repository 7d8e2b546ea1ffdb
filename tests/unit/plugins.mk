# tests: unit/plugins

# The contract: one program, run on each engine by a script of its own.
check_PROGRAMS += tests/contract/contract
tests_contract_contract_SOURCES = \
	tests/contract/contract.c tests/contract/contract.h \
	tests/contract/limits.c \
	tests/contract/objects.c \
	tests/contract/refreshes.c \
	tests/contract/replace.c \
	tests/contract/safety.c \
	tests/contract/support.c
tests_contract_contract_LDADD = $(LDADD) -ldl -lpthread
EXTRA_DIST += tests/contract/sqlite.sh
if DIALECT_SQLITE
TESTS += tests/contract/sqlite.sh
endif
EXTRA_DIST += tests/contract/mysql.sh
if DIALECT_MYSQL
TESTS += tests/contract/mysql.sh
endif
