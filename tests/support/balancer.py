#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# balancer.py PORT-FILE PORT...: a balancer of loopback ports. Each connection goes to the next one in turn. Its own port is written
# into the file.
import itertools
import os
import socket
import sys
import threading


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


listener = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w") as file:
    print(listener.getsockname()[1], file=file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
for port in itertools.cycle(sys.argv[2:]):
    client, _ = listener.accept()
    try:
        server = socket.create_connection(("127.0.0.1", int(port)))
    except OSError:
        client.close()
        continue
    for pair in ((client, server), (server, client)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
