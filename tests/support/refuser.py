#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""refuser.py: a server that lacks something. Sits between viewd and a server, on unix sockets, and replaces statements.

usage: refuser.py postgresql|mysql LISTEN UPSTREAM LOG [KIND]

A statement whose kind is KIND becomes one that the server itself refuses as a feature that it does not have (SQLSTATE
0A000; error 1235), so its session is in the state in which such a refusal leaves it. LOG gets one line for each statement
from viewd: its kind, and "refused" behind it where it was.
"""
import asyncio
import os
import re
import sys

REFUSED = {
    # refused when it is parsed: in a simple query as well as in a prepared statement
    "postgresql": b"SELECT DISTINCT 1 FOR UPDATE",
    "mysql": b"SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO = 1235, MESSAGE_TEXT = 'This version of the server does not support it'",
}
# Words that say what a statement does, behind the first one.
SECOND = "ALTER|ANALYZE|BEGIN|COMMENT|CREATE|DROP|LOCK|OR|RENAME|REPLACE|REFRESH|SET|SHOW|START|TRUNCATE|UNLISTEN"
FILLERS = r"OR REPLACE|IF NOT EXISTS|IF EXISTS|UNIQUE|DEFINER = \S+|SQL SECURITY \w+|ALGORITHM = \w+"
FEATURES = [
    "pg_advisory_xact_lock", "pg_advisory_lock", "pg_try_advisory", "pg_notify", "pg_current_snapshot", "txid_current",
    "pg_snapshot", "pg_export_snapshot", "pg_stat", "pg_xact", "pg_get_viewdef", "pg_rewrite", "pg_depend", "pg_trigger",
    "pg_replication", "GET_LOCK", "RELEASE_LOCK", "IS_USED_LOCK", "information_schema", "FOR UPDATE", "FOR SHARE",
    "LOCK IN SHARE MODE", "SKIP LOCKED", "NOT ATOMIC", "MASTER STATUS", "BINLOG", "max_statement_time", "viewd_pk",
]


def kind_of(text):
    """The kind of a statement: its first words, and a feature that may be refused by itself."""
    text = re.sub(r"/\*.*?\*/|--[^\n]*", " ", text, flags=re.S).strip()
    plain = re.sub(FILLERS, " ", text, flags=re.I)
    words = re.findall(r"[A-Za-z_]+", plain[:200])
    if not words:
        return "EMPTY"
    first = words[0].upper()
    kind = first
    if re.fullmatch(SECOND, first) and len(words) > 1:
        second = words[1].upper()
        kind += " " + second
        if second in ("TEMPORARY", "TEMP", "MATERIALIZED", "EVENT", "LOCAL", "TRANSACTION", "DEFAULT") and len(words) > 2:
            kind += " " + words[2].upper()
    if "CONCURRENTLY" in plain[:100].upper():
        kind += " CONCURRENTLY"
    if first in ("SELECT", "WITH", "CREATE", "INSERT", "DO", "SHOW"):
        for feature in FEATURES:
            if re.search(re.escape(feature), text, re.I):
                return kind + " ... " + feature
    return kind


class Refuser:
    def __init__(self, engine, upstream, log, kind):
        self.engine, self.upstream, self.kind = engine, upstream, kind
        self.log = open(log, "a", buffering=1, encoding="utf-8")

    def judge(self, statement):
        """The statement, or what it becomes."""
        kind = kind_of(statement.decode("utf-8", "replace"))
        refused = kind == self.kind
        self.log.write(kind + ("\trefused" if refused else "") + "\n")
        return REFUSED[self.engine] if refused else statement

    async def from_postgresql(self, reader, writer):
        first = True
        while True:
            head = await reader.readexactly(4 if first else 5)
            body = await reader.readexactly(int.from_bytes(head[-4:], "big") - 4)
            if not first and head[:1] == b"Q":
                body = self.judge(body[:-1]) + b"\0"
            elif not first and head[:1] == b"P":
                name, text, types = body.split(b"\0", 2)
                body = name + b"\0" + self.judge(text) + b"\0" + types
            writer.write(head[:-4] + (len(body) + 4).to_bytes(4, "big") + body)
            await writer.drain()
            first = False

    async def from_mysql(self, reader, writer):
        while True:
            head = await reader.readexactly(4)
            body = await reader.readexactly(int.from_bytes(head[:3], "little"))
            if head[3] == 0 and body[:1] in (b"\x03", b"\x16"):  # COM_QUERY, COM_STMT_PREPARE
                body = body[:1] + self.judge(body[1:])
            writer.write(len(body).to_bytes(3, "little") + head[3:] + body)
            await writer.drain()

    @staticmethod
    async def copy(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async def serve(self, reader, writer):
        up = None
        tasks = []
        try:
            up_reader, up = await asyncio.open_unix_connection(self.upstream)
            statements = self.from_postgresql if self.engine == "postgresql" else self.from_mysql
            tasks = [asyncio.ensure_future(statements(reader, up)), asyncio.ensure_future(self.copy(up_reader, writer))]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for end in (up, writer):
                if end is not None:
                    end.close()


async def main():
    engine, listen, upstream, log = sys.argv[1:5]
    refuser = Refuser(engine, upstream, log, sys.argv[5] if len(sys.argv) > 5 else None)
    server = await asyncio.start_unix_server(refuser.serve, listen)
    os.chmod(listen, 0o777)
    async with server:
        await server.serve_forever()


asyncio.run(main())
