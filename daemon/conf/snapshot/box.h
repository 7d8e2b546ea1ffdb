/* SPDX-License-Identifier: MIT
 *
 * box.h: the snapshot with what only conf/ sees.
 */
#ifndef VIEWD_CONF_SNAPSHOT_BOX_H
#define VIEWD_CONF_SNAPSHOT_BOX_H

#include "conf/conf.h"
#include "conf/read/arena.h"
#include "conf/read/names.h"

struct conf_box {
	struct conf conf;
	unsigned refs;
	struct arena *arena;
	struct name_set *databases;
	struct name_set *views;
};

#endif
