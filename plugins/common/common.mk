# The library that dialects share: a convenience library linked into every plugin, with libviewd_base.la.
noinst_LTLIBRARIES += libviewd_sql.la
libviewd_sql_la_SOURCES = \
	plugins/common/analysis/analysis.c plugins/common/analysis/analysis.h \
	plugins/common/analysis/meaning/calls.c plugins/common/analysis/meaning/calls.h \
	plugins/common/analysis/exact.c plugins/common/analysis/exact.h \
	plugins/common/analysis/facts.h \
	plugins/common/analysis/node.c plugins/common/analysis/node.h \
	plugins/common/analysis/meaning/names.c plugins/common/analysis/meaning/names.h \
	plugins/common/analysis/meaning/order.c plugins/common/analysis/meaning/order.h \
	plugins/common/analysis/part.c \
	plugins/common/analysis/print.c plugins/common/analysis/print.h \
	plugins/common/analysis/meaning/ranges.c plugins/common/analysis/meaning/ranges.h \
	plugins/common/analysis/reading/alike.c plugins/common/analysis/reading/alike.h \
	plugins/common/analysis/reading/mask.c plugins/common/analysis/reading/mask.h \
	plugins/common/analysis/reading/named.c plugins/common/analysis/reading/named.h \
	plugins/common/analysis/reading/parse.c plugins/common/analysis/reading/parse.h \
	plugins/common/analysis/reading/query.h \
	plugins/common/analysis/reading/read.c plugins/common/analysis/reading/read.h \
	plugins/common/analysis/reading/read_expr.c \
	plugins/common/analysis/reading/read_sql.c plugins/common/analysis/reading/read_sql.h \
	plugins/common/analysis/reading/refusal.c plugins/common/analysis/reading/refusal.h \
	plugins/common/analysis/roll.c \
	plugins/common/analysis/root.c \
	plugins/common/analysis/listed.c \
	plugins/common/analysis/split/branch.c \
	plugins/common/analysis/split/early.c \
	plugins/common/analysis/split/edits.c plugins/common/analysis/split/edits.h \
	plugins/common/analysis/split/lift.c \
	plugins/common/analysis/split/piece.c \
	plugins/common/analysis/split/queries.c plugins/common/analysis/split/queries.h \
	plugins/common/analysis/split/split.c plugins/common/analysis/split/split.h \
	plugins/common/analysis/texts.c plugins/common/analysis/texts.h \
	plugins/common/analysis/spans.c plugins/common/analysis/spans.h \
	plugins/common/analysis/ties.c plugins/common/analysis/ties.h \
	plugins/common/analysis/unit.c plugins/common/analysis/unit.h \
	plugins/common/analysis/ways.c \
	plugins/common/incremental/change_log.c plugins/common/incremental/change_log.h \
	plugins/common/incremental/logs/reading.c \
	plugins/common/incremental/key_set.h plugins/common/incremental/part.h \
	plugins/common/incremental/attempt.c plugins/common/incremental/attempt.h \
	plugins/common/incremental/audit.c plugins/common/incremental/audit.h \
	plugins/common/incremental/demotion.c plugins/common/incremental/demotion.h \
	plugins/common/incremental/node_table.c plugins/common/incremental/node_table.h \
	plugins/common/incremental/roll.c plugins/common/incremental/roll.h \
	plugins/common/incremental/search/affected.c \
	plugins/common/incremental/search/queries.c plugins/common/incremental/search/queries.h \
	plugins/common/incremental/sums/added.c plugins/common/incremental/sums/added.h \
	plugins/common/incremental/sums/choose.c plugins/common/incremental/sums/choose.h \
	plugins/common/incremental/sums/sums.c plugins/common/incremental/sums/sums.h \
	plugins/common/incremental/chain_nodes.c plugins/common/incremental/chain_nodes.h \
	plugins/common/incremental/opening.c \
	plugins/common/incremental/top.c plugins/common/incremental/top.h \
	plugins/common/incremental/cost.c plugins/common/incremental/cost.h \
	plugins/common/incremental/chain.c plugins/common/incremental/chain.h \
	plugins/common/incremental/incremental.c plugins/common/incremental/incremental.h \
	plugins/common/depends/knowledge.c plugins/common/depends/knowledge.h \
	plugins/common/refresh/indexes.c plugins/common/refresh/indexes.h \
	plugins/common/refresh/explain.c plugins/common/refresh/incremental.c \
	plugins/common/refresh/group_chains.c plugins/common/refresh/group_chains.h \
	plugins/common/objects/rename.c \
	plugins/common/objects/rows.c \
	plugins/common/text/kind.c plugins/common/text/kind.h \
	plugins/common/capture/capture.c plugins/common/capture/capture.h \
	plugins/common/objects/check.c plugins/common/objects/check.h \
	plugins/common/generate/columns.c plugins/common/generate/columns.h \
	plugins/common/objects/create.c \
	plugins/common/objects/transaction.c \
	plugins/common/conn/db.c plugins/common/conn/db.h plugins/common/conn/incremental_ops.h \
	plugins/common/dialect.c plugins/common/dialect.h \
	plugins/common/depends/dependencies.c plugins/common/depends/dependencies.h \
	plugins/common/text/copy.h \
	plugins/common/text/digest.c plugins/common/text/digest.h \
	plugins/common/objects/drop.c \
	plugins/common/refresh/group.c plugins/common/refresh/group.h plugins/common/objects/refresh_group.h \
	plugins/common/depends/cycles.c \
	plugins/common/depends/heard.c plugins/common/depends/heard.h \
	plugins/common/objects/grants.c plugins/common/objects/grants.h \
	plugins/common/objects/hooks.c plugins/common/objects/hooks.h \
	plugins/common/generate/gen_diff.c plugins/common/generate/gen_index.c plugins/common/generate/gen_render.c \
	plugins/common/generate/generate.c plugins/common/generate/generate.h \
	plugins/common/sqltext/ident.c plugins/common/sqltext/ident.h \
	plugins/common/objects/index.c \
	plugins/common/objects/inspect.c \
	plugins/common/objects/keep.c \
	plugins/common/sqltext/lexer.c plugins/common/sqltext/lexer.h \
	plugins/common/state/learnt.c plugins/common/state/learnt.h \
	plugins/common/state/lease.c plugins/common/state/lease.h \
	plugins/common/state/marks.c plugins/common/state/marks.h \
	plugins/common/depends/objects.c plugins/common/depends/objects.h \
	plugins/common/text/number.c plugins/common/text/number.h \
	plugins/common/conn/numbered.c plugins/common/conn/numbered.h \
	plugins/common/conn/process.c plugins/common/conn/process.h \
	plugins/common/sqltext/lex_judge.c \
	plugins/common/objects/recipe.h plugins/common/objects/steps.h \
	plugins/common/refresh/member.c plugins/common/refresh/member.h plugins/common/refresh/mode.c \
	plugins/common/refresh/refresh.c plugins/common/refresh/refresh.h plugins/common/refresh/table_rows.c \
	plugins/common/sqltext/sqltext.c plugins/common/sqltext/sqltext.h \
	plugins/common/state/returned.c plugins/common/state/returned.h \
	plugins/common/state/state.c plugins/common/state/state.h \
	plugins/common/state/state_write.c \
	plugins/common/objects/staged_rows.c \
	plugins/common/state/stmt.c plugins/common/state/stmt.h \
	plugins/common/sqltext/syntax.h \
	plugins/common/objects/task.c plugins/common/objects/task.h \
	plugins/common/text/timetext.c plugins/common/text/timetext.h \
	plugins/common/sqltext/timeword.c plugins/common/sqltext/timeword.h \
	plugins/common/existing.c \
	plugins/common/uninstall.c \
	plugins/common/conn/url.c plugins/common/conn/url.h \
	plugins/common/refresh/verify.c \
	plugins/common/state/views.c plugins/common/state/views.h
libviewd_sql_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBMD_CFLAGS)
libviewd_sql_la_LIBADD = $(TALLOC_LIBS) $(LIBMD_LIBS) $(PG_QUERY_LIBS) $(JANSSON_LIBS)
