/* SPDX-License-Identifier: MIT
 *
 * tree.h: a view with everything that reads it, and the statements that would make each of them again. Functions run on
 * the thread of their connection.
 */
#ifndef VIEWD_POSTGRESQL_OBJECTS_TREE_H
#define VIEWD_POSTGRESQL_OBJECTS_TREE_H

#include "postgresql/pg.h"

/* One relation of the tree. All text is talloc'ed on the tree. */
struct tree_node {
	char *oid;
	char kind; /* relkind: v m r */
	char *schema;
	char *name;
	char *quoted; /* "schema"."name" */
	char *owner;
	bool populated;
	size_t place;   /* index into tree.schemas */
	char *staged;   /* "stage schema"."name" */
	char *new_oid;  /* once built */
	bool untouched; /* recorded as viewd's, with the definition it has now */
};

/* When a statement is run. */
enum tree_phase {
	TREE_CREATE = 'c', /* makes the object in the stage (dependants only) */
	TREE_INDEX = 'i',  /* its indexes, in the stage */
	TREE_DRESS = 'd',  /* options, comments, defaults, in the stage */
	TREE_FINISH = 'f', /* owner, privileges, triggers, rules: in the final place */
};

struct tree_statement {
	size_t node;
	enum tree_phase phase;
	bool of_column; /* may fail for the replaced view itself when the column is gone */
	char *what;     /* for messages: "index a_b" */
	char *sql;
};

struct tree {
	struct tree_node *nodes; /* [0] is the view, then dependants, what is read before what reads it */
	size_t n_nodes;
	char **schemas;   /* distinct schemas of the nodes */
	char **stages;    /* a stage schema for each */
	bool stage_given; /* stages[0] was made by an administrator and stays */
	size_t n_schemas;
	struct tree_statement *statements;
	size_t n_statements;
	char digest[65]; /* of all the above that comes from the catalogue */
};

/* The objects to be replaced. */
struct tree_wish {
	struct relation rel;     /* schema filled in */
	char new_kind;           /* relkind the view will have */
	const char *own_indexes; /* one a line: made by viewd from the declaration, so not carried over */
};

/* Reads the tree under wish->rel from the catalogue, with the statements. Refuses, naming them, when something depends
 * on a node that cannot be made again faithfully. NULL: err. */
struct tree *tree_load(struct viewd_conn *conn, void *mem_ctx, const struct tree_wish *wish, struct viewd_err *err);

/* Sets search_path for printing and finishing (staged false), or for building dependants (staged true): each stage
 * schema stands right before the schema it stands for. */
bool tree_set_path(struct viewd_conn *conn, const struct tree *tree, bool staged, struct viewd_err *err) MUST_CHECK;

/* relation_ddl.c: appends the statements of one node; own_indexes: names to leave out, one a line. */
bool tree_capture(struct viewd_conn *conn, struct tree *tree, size_t node, char new_kind, const char *own_indexes,
                  struct viewd_err *err) MUST_CHECK;

/* Runs the statements of one node and phase. The view's own column-bound ones may fail for want of the column, with a
 * warning. */
bool tree_run(struct viewd_conn *conn, const struct tree *tree, size_t node, enum tree_phase phase,
              struct viewd_err *err) MUST_CHECK;

/* DROP word of a relkind: VIEW, MATERIALIZED VIEW, TABLE. */
const char *tree_kind_word(char relkind);

/* stage.c: makes the stage schemas. */
bool stage_open(struct viewd_conn *conn, struct tree *tree, struct viewd_err *err) MUST_CHECK;
/* Takes the exclusive locks of all nodes, dependants first, in short attempts until lock_timeout_us has passed. */
bool stage_lock(struct viewd_conn *conn, const struct tree *tree, int64_t lock_timeout_us,
                struct viewd_err *err) MUST_CHECK;
/* Builds, indexes and fills every dependant in the stage, and proves that each reads what the old one reads. */
bool stage_build_dependants(struct viewd_conn *conn, struct tree *tree, struct viewd_err *err) MUST_CHECK;
/* Drops the old objects, moves the new ones into their place, removes the stages. Under stage_lock. */
bool stage_exchange(struct viewd_conn *conn, struct tree *tree, struct viewd_err *err) MUST_CHECK;

#endif
