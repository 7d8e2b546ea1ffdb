/* SPDX-License-Identifier: MIT
 *
 * view.c: the plain facts of an instance, for those to whom it is opaque (engine.h).
 */
#include "core/model/group.h"
#include "core/model/model.h"

const char *view_name(const struct view *view)
{
	return view->conf->name;
}

const char *view_database(const struct view *view)
{
	return view->db->conf->name;
}

const char *view_group(const struct view *view)
{
	return view->graph.group != NULL ? view->graph.group->name : NULL;
}

bool view_is_disabled(const struct view *view)
{
	return !view->conf->enabled;
}

const char *view_label(const struct view *view)
{
	return view->label;
}
