# The library that dialects share, and the dialects that configure chose.
plugin_ldflags = $(AM_LDFLAGS) $(DEFS_LDFLAGS) -module -avoid-version -shared -export-symbols-regex '^viewd_dialect$$'

include plugins/common/common.mk
if DIALECT_SQLITE
include plugins/sqlite/sqlite.mk
endif
if DIALECT_POSTGRESQL
include plugins/postgresql/postgresql.mk
endif
if DIALECT_MYSQL
include plugins/mysql/mysql.mk
endif

include plugins/dialect.mk
