# What dialects share, and the dialects.
include plugins/common/common.mk
include plugins/sqlite/sqlite.mk
include plugins/postgresql/postgresql.mk
include plugins/mysql/mysql.mk
plugin_ldflags = -module -avoid-version -shared -export-symbols-regex '^viewd_dialect$$'
