#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes ./configure. Needs autoconf, automake, libtool and pkg-config.
cd "$(dirname "$0")" && exec autoreconf --force --install
