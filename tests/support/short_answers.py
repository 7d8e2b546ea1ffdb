#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""short_answers.py: a server of PostgreSQL's protocol that has not understood the question.

usage: short_answers.py SOCKET LOG

It lets everybody in, and tells the number of the session. The connection number N answers every other statement with
rows of N % 13 columns: texts in the first round of 13, NULL in the second, no row in the third, and so on. LOG gets a
line for each connection.
"""
import asyncio
import struct
import sys


def message(kind, body=b""):
    return kind + struct.pack(">I", len(body) + 4) + body


READY = message(b"Z", b"I")


class Server:
    def __init__(self, log):
        self.log = log
        self.connections = 0

    def answer(self, number, asked):
        columns, turn = number % 13, number // 13
        value = struct.pack(">i", -1) if turn % 3 == 1 else struct.pack(">I", 1) + b"t"
        row = b"" if turn % 3 == 2 else message(b"D", struct.pack(">H", columns) + value * columns)
        if b"pg_backend_pid" in asked:
            row = message(b"D", struct.pack(">HI", 1, 6) + b"%06d" % number)
        words = asked.strip(b"\0").split()
        return row + message(b"C", (words[0] if words else b"SELECT") + b"\0")

    def shape(self, number, asked):
        columns = 1 if b"pg_backend_pid" in asked else number % 13
        return message(b"T", struct.pack(">H", columns) + struct.pack(">1s1sIhIhih", b"c", b"\0", 0, 0, 25, -1, -1, 0) * columns)

    async def startup(self, reader, writer):
        while True:
            (length,) = struct.unpack(">I", await reader.readexactly(4))
            body = await reader.readexactly(length - 4)
            if body[:4] not in (b"\x04\xd2\x16\x2f", b"\x04\xd2\x16\x30"):  # encryption is asked for
                return
            writer.write(b"N")

    async def serve(self, reader, writer):
        number = self.connections
        self.connections += 1
        with open(self.log, "a", encoding="ascii") as out:
            out.write(f"{number % 13}\n")
        try:
            await self.startup(reader, writer)
            settings = b"".join(message(b"S", s) for s in (b"server_version\x0015.4\0", b"client_encoding\0UTF8\0"))
            writer.write(message(b"R", b"\0\0\0\0") + settings + message(b"K", b"\0" * 8) + READY)
            asked = b""
            while True:
                kind = await reader.readexactly(1)
                (length,) = struct.unpack(">I", await reader.readexactly(4))
                body = await reader.readexactly(length - 4)
                if kind == b"X":
                    return
                if kind in b"PQ":
                    asked = body
                writer.write(
                    {
                        b"P": lambda: message(b"1"),
                        b"B": lambda: message(b"2"),
                        b"C": lambda: message(b"3"),
                        b"D": lambda: self.shape(number, asked),
                        b"E": lambda: self.answer(number, asked),
                        b"Q": lambda: self.shape(number, asked) + self.answer(number, asked) + READY,
                        b"S": lambda: READY,
                    }.get(kind, lambda: b"")()
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def main():
    server = Server(sys.argv[2])
    async with await asyncio.start_unix_server(server.serve, sys.argv[1]) as listening:
        await listening.serve_forever()


asyncio.run(main())
