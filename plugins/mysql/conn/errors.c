/* SPDX-License-Identifier: MIT
 *
 * errors.c: the classes of error numbers of the server and of the client library.
 *
 * Numbers: https://mariadb.com/kb/en/mariadb-error-codes/ and
 * https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html. Written as numbers because no client
 * header has all.
 */
#include "mysql/my.h"

#include <string.h>

#include "base/err.h"

struct errno_class {
	unsigned number;
	enum viewd_err_class cls;
	const char *hint; /* NULL: the server's message says enough */
};

#define STRICT "settings = sql_mode=none in the view's section takes such values as a plain SELECT does"
#define NO_ACCOUNT \
	"the account may be missing, or have another password, or let in only who runs as that user of the system " \
	"(unix_socket)"
#define BEHIND "the definition reads from another server through this one"

static const struct errno_class classes[] = {
	/* the client library */
	{2001, VIEWD_ERR_CONNECT, NULL},  /* CR_SOCKET_CREATE_ERROR */
	{2002, VIEWD_ERR_CONNECT, NULL},  /* CR_CONNECTION_ERROR */
	{2003, VIEWD_ERR_CONNECT, NULL},  /* CR_CONN_HOST_ERROR */
	{2005, VIEWD_ERR_CONNECT, NULL},  /* CR_UNKNOWN_HOST */
	{2006, VIEWD_ERR_LOST, NULL},     /* CR_SERVER_GONE_ERROR */
	{2008, VIEWD_ERR_RESOURCE, NULL}, /* CR_OUT_OF_MEMORY */
	{2012, VIEWD_ERR_CONNECT, NULL},  /* CR_SERVER_HANDSHAKE_ERR */
	{2013, VIEWD_ERR_LOST, NULL},     /* CR_SERVER_LOST */
	/* CR_SSL_CONNECTION_ERROR */
	{2026, VIEWD_ERR_CONNECT, "see ssl_ca, ssl_verify_server_cert and tls_version in the url"},
	{2027, VIEWD_ERR_LOST, NULL},                        /* CR_MALFORMED_PACKET */
	{2055, VIEWD_ERR_LOST, NULL},                        /* CR_SERVER_LOST_EXTENDED */
	{2059, VIEWD_ERR_AUTH, "see plugin_dir in the url"}, /* CR_AUTH_PLUGIN_CANNOT_LOAD */
	/* who are you */
	{1044, VIEWD_ERR_DENIED, NULL},     /* ER_DBACCESS_DENIED_ERROR */
	{1045, VIEWD_ERR_AUTH, NO_ACCOUNT}, /* ER_ACCESS_DENIED_ERROR */
	{1129, VIEWD_ERR_AUTH, NULL},       /* ER_HOST_IS_BLOCKED */
	{1130, VIEWD_ERR_AUTH, NULL},       /* ER_HOST_NOT_PRIVILEGED */
	{1251, VIEWD_ERR_AUTH, NULL},       /* ER_NOT_SUPPORTED_AUTH_MODE */
	{1524, VIEWD_ERR_AUTH, NULL},       /* ER_PLUGIN_IS_NOT_LOADED */
	{1698, VIEWD_ERR_AUTH, NO_ACCOUNT}, /* ER_ACCESS_DENIED_NO_PASSWORD_ERROR */
	{1820, VIEWD_ERR_AUTH, NULL},       /* ER_MUST_CHANGE_PASSWORD */
	{1862, VIEWD_ERR_AUTH, NULL},       /* ER_MUST_CHANGE_PASSWORD_LOGIN */
	{3118, VIEWD_ERR_AUTH, NULL},       /* ER_ACCOUNT_HAS_BEEN_LOCKED, MySQL */
	{4151, VIEWD_ERR_AUTH, NULL},       /* ER_ACCOUNT_HAS_BEEN_LOCKED, MariaDB */
	/* the connection ended */
	{1047, VIEWD_ERR_CONNECT, NULL}, /* ER_UNKNOWN_COM_ERROR: a Galera node that is not ready */
	{1053, VIEWD_ERR_LOST, NULL},    /* ER_SERVER_SHUTDOWN */
	{1079, VIEWD_ERR_LOST, NULL},    /* ER_SHUTDOWN_COMPLETE */
	{1152, VIEWD_ERR_LOST, NULL},    /* ER_ABORTING_CONNECTION */
	{1180, VIEWD_ERR_LOST, NULL},    /* ER_ERROR_DURING_COMMIT; judged by its text as well */
	{1927, VIEWD_ERR_LOST, NULL},    /* ER_CONNECTION_KILLED, MariaDB */
	{3169, VIEWD_ERR_LOST, NULL},    /* ER_SESSION_WAS_KILLED, MySQL */
	{4031, VIEWD_ERR_LOST, NULL},    /* ER_CLIENT_INTERACTION_TIMEOUT, MySQL */
	/* a server behind this one (FEDERATED, Spider) does not serve */
	{1158, VIEWD_ERR_RESOURCE, BEHIND},  /* ER_NET_READ_ERROR */
	{1159, VIEWD_ERR_RESOURCE, BEHIND},  /* ER_NET_READ_INTERRUPTED */
	{1160, VIEWD_ERR_RESOURCE, BEHIND},  /* ER_NET_ERROR_ON_WRITE */
	{1161, VIEWD_ERR_RESOURCE, BEHIND},  /* ER_NET_WRITE_INTERRUPTED */
	{1429, VIEWD_ERR_RESOURCE, BEHIND},  /* ER_CONNECT_TO_FOREIGN_DATA_SOURCE */
	{1430, VIEWD_ERR_RESOURCE, BEHIND},  /* ER_QUERY_ON_FOREIGN_DATA_SOURCE */
	{12701, VIEWD_ERR_RESOURCE, BEHIND}, /* ER_SPIDER_REMOTE_SERVER_GONE_AWAY */
	/* somebody else is busy with it */
	{1020, VIEWD_ERR_CONFLICT, NULL}, /* ER_CHECKREAD */
	{1205, VIEWD_ERR_CONFLICT, NULL}, /* ER_LOCK_WAIT_TIMEOUT */
	{1213, VIEWD_ERR_CONFLICT, NULL}, /* ER_LOCK_DEADLOCK */
	{1412, VIEWD_ERR_CONFLICT, NULL}, /* ER_TABLE_DEF_CHANGED */
	{1615, VIEWD_ERR_CONFLICT, NULL}, /* ER_NEED_REPREPARE */
	{1637, VIEWD_ERR_CONFLICT, NULL}, /* ER_TOO_MANY_CONCURRENT_TRXS */
	{3101, VIEWD_ERR_CONFLICT, NULL}, /* ER_TRANSACTION_ROLLBACK_DURING_COMMIT: a group has not certified it */
	{3572, VIEWD_ERR_CONFLICT, NULL}, /* ER_LOCK_NOWAIT, MySQL */
	{3797, VIEWD_ERR_CONFLICT, NULL}, /* ER_GRP_TRX_CONSISTENCY_BEFORE: a member does not catch up */
	/* limits */
	{1317, VIEWD_ERR_CANCELLED, NULL}, /* ER_QUERY_INTERRUPTED; exec.c knows whether viewd has asked for it */
	{1969, VIEWD_ERR_TIMEOUT, NULL},   /* ER_STATEMENT_TIMEOUT, MariaDB */
	{3024, VIEWD_ERR_TIMEOUT, NULL},   /* ER_QUERY_TIMEOUT, MySQL */
	/* the machine is full */
	{3, VIEWD_ERR_RESOURCE, NULL},    /* EE_WRITE: a temporary file */
	{1021, VIEWD_ERR_RESOURCE, NULL}, /* ER_DISK_FULL */
	{1026, VIEWD_ERR_RESOURCE, NULL}, /* ER_ERROR_ON_WRITE */
	{1037, VIEWD_ERR_RESOURCE, NULL}, /* ER_OUTOFMEMORY */
	{1038, VIEWD_ERR_RESOURCE, NULL}, /* ER_OUT_OF_SORTMEMORY */
	{1040, VIEWD_ERR_RESOURCE, NULL}, /* ER_CON_COUNT_ERROR */
	{1041, VIEWD_ERR_RESOURCE, NULL}, /* ER_OUT_OF_RESOURCES */
	{1114, VIEWD_ERR_RESOURCE, NULL}, /* ER_RECORD_FILE_FULL */
	{1135, VIEWD_ERR_RESOURCE, NULL}, /* ER_CANT_CREATE_THREAD */
	{1203, VIEWD_ERR_RESOURCE, NULL}, /* ER_TOO_MANY_USER_CONNECTIONS */
	{1206, VIEWD_ERR_RESOURCE, NULL}, /* ER_LOCK_TABLE_FULL */
	{1226, VIEWD_ERR_RESOURCE, NULL}, /* ER_USER_LIMIT_REACHED */
	/* read-only servers; 1290 is judged by its text as well */
	{1290, VIEWD_ERR_STANDBY, NULL}, /* ER_OPTION_PREVENTS_STATEMENT */
	{1836, VIEWD_ERR_STANDBY, NULL}, /* ER_READ_ONLY_MODE */
	{1874, VIEWD_ERR_STANDBY, NULL}, /* ER_INNODB_READ_ONLY */
	/* privileges */
	{1142, VIEWD_ERR_DENIED, NULL}, /* ER_TABLEACCESS_DENIED_ERROR */
	{1143, VIEWD_ERR_DENIED, NULL}, /* ER_COLUMNACCESS_DENIED_ERROR */
	{1227, VIEWD_ERR_DENIED, NULL}, /* ER_SPECIFIC_ACCESS_DENIED_ERROR */
	{1345, VIEWD_ERR_DENIED, NULL}, /* ER_VIEW_NO_EXPLAIN */
	{1370, VIEWD_ERR_DENIED, NULL}, /* ER_PROCACCESS_DENIED_ERROR */
	{1419, VIEWD_ERR_DENIED, NULL}, /* ER_BINLOG_CREATE_ROUTINE_NEED_SUPER */
	/* what is there and what is not */
	{1049, VIEWD_ERR_MISSING, NULL}, /* ER_BAD_DB_ERROR */
	{1051, VIEWD_ERR_MISSING, NULL}, /* ER_BAD_TABLE_ERROR */
	{1091, VIEWD_ERR_MISSING, NULL}, /* ER_CANT_DROP_FIELD_OR_KEY */
	{1146, VIEWD_ERR_MISSING, NULL}, /* ER_NO_SUCH_TABLE */
	{1305, VIEWD_ERR_MISSING, NULL}, /* ER_SP_DOES_NOT_EXIST */
	{1356, VIEWD_ERR_MISSING, NULL}, /* ER_VIEW_INVALID */
	{1360, VIEWD_ERR_MISSING, NULL}, /* ER_TRG_DOES_NOT_EXIST */
	{4091, VIEWD_ERR_MISSING, NULL}, /* ER_UNKNOWN_SEQUENCES */
	{1050, VIEWD_ERR_EXISTS, NULL},  /* ER_TABLE_EXISTS_ERROR */
	/* values that only a warning would be told of without a strict sql_mode */
	{1260, VIEWD_ERR_QUERY, /* ER_CUT_VALUE_GROUP_CONCAT */
     "settings = group_concat_max_len=100000000 in the view's section lets it give so many bytes"},
	{1264, VIEWD_ERR_QUERY, STRICT}, /* ER_WARN_DATA_OUT_OF_RANGE */
	{1265, VIEWD_ERR_QUERY, STRICT}, /* WARN_DATA_TRUNCATED */
	{1292, VIEWD_ERR_QUERY, STRICT}, /* ER_TRUNCATED_WRONG_VALUE */
	{1365, VIEWD_ERR_QUERY, STRICT}, /* ER_DIVISION_BY_ZERO */
	{1366, VIEWD_ERR_QUERY, STRICT}, /* ER_TRUNCATED_WRONG_VALUE_FOR_FIELD */
	{1406, VIEWD_ERR_QUERY, STRICT}, /* ER_DATA_TOO_LONG */
	{1411, VIEWD_ERR_QUERY, STRICT}, /* ER_WRONG_VALUE_FOR_TYPE */
	/* statements, keys and settings that cannot work */
	{1234, VIEWD_ERR_CONFIG, /* ER_CANT_USE_OPTION_HERE */
     "a definition runs inside a statement of viewd's: leave out what is for a whole statement"},
	{1665, VIEWD_ERR_CONFIG, /* ER_BINLOG_STMT_MODE_AND_ROW_ENGINE */
     "set binlog_format to ROW or MIXED: viewd reads at READ COMMITTED so that writers never wait"},
	{1062, VIEWD_ERR_QUERY, "two rows of the definition have the same unique_key"}, /* ER_DUP_ENTRY */
	/* ER_BLOB_KEY_WITHOUT_LENGTH, ER_TABLE_WITHOUT_PK */
	{1170, VIEWD_ERR_CONFIG, "give the column a type with a length, columns = name varchar(100), or cast it"},
	/* ER_BEFORE_DML_VALIDATION_ERROR */
	{3098, VIEWD_ERR_CONFIG,
     "a group wants InnoDB and a primary key on every table, and with several primaries no cascades"},
	{3750, VIEWD_ERR_CONFIG, "the server wants a primary key on every table (sql_require_primary_key)"},
};

static const struct errno_class *find_class(unsigned number)
{
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (classes[i].number == number)
			return &classes[i];
	return NULL;
}

static enum viewd_err_class class_of(unsigned number, const char *text, bool sent)
{
	const struct errno_class *found = find_class(number);

	if (found == NULL)
		return VIEWD_ERR_QUERY;
	if (number == 1290 && strstr(text, "read") == NULL)
		return VIEWD_ERR_QUERY; /* another option, such as --secure-file-priv */
	if (number == 1180 && strstr(text, "Primary Component") == NULL)
		return VIEWD_ERR_QUERY; /* not a node that has lost its cluster */
	if (number == 2026 && (strstr(text, "certificate") != NULL || strstr(text, "required") != NULL))
		return VIEWD_ERR_AUTH; /* not a handshake that broke off, so another attempt will not help */
	if (found->cls == VIEWD_ERR_LOST && !sent)
		return VIEWD_ERR_CONNECT;
	return found->cls;
}

bool my_fail(MYSQL *my, bool sent, struct viewd_err *err)
{
	unsigned number = mysql_errno(my);
	const char *text = mysql_error(my);
	const struct errno_class *found = find_class(number);
	enum viewd_err_class cls = class_of(number, text, sent);

	if (err == NULL)
		return false;
	if (cls == VIEWD_ERR_CONNECT || cls == VIEWD_ERR_AUTH)
		err_set(err, cls, "no connection to the server (%s)", text);
	else if (cls == VIEWD_ERR_LOST)
		err_set(err, cls, "connection lost while a statement ran (%s)", text);
	else
		err_set(err, cls, "statement failed (%s)", text);
	err->native = (int32_t)number;
	strncpy(err->sqlstate, mysql_sqlstate(my), sizeof err->sqlstate - 1);
	if (found != NULL && found->hint != NULL)
		err_hint(err, "%s", found->hint);
	return false;
}
