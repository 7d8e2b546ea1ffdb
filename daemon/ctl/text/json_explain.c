/* SPDX-License-Identifier: MIT */
#include "ctl/text/json_explain.h"

#include "ctl/text/json_text.h"

#define PLACES_MAX 10000 /* a plugin that counts further is not followed */

json_t *json_explained_new(void)
{
	json_t *body = json_object();
	json_object_set_new(body, "nodes", json_array());
	return body;
}

static void set_default(json_t *object, const char *key, json_t *value)
{
	if (json_object_get(object, key) == NULL)
		json_object_set(object, key, value);
	json_decref(value);
}

/* Object number n (from 1) of a list, with those before it. */
static json_t *at(json_t *list, uint32_t n, const char *number_key)
{
	while (json_array_size(list) < n && n <= PLACES_MAX) {
		json_t *one = json_object();
		if (number_key != NULL)
			json_object_set_new(one, number_key, json_integer((json_int_t)json_array_size(list) + 1));
		json_array_append_new(list, one);
	}
	return json_array_get(list, n - 1);
}

static json_t *place_of(json_t *body, const struct viewd_explained *fact)
{
	json_t *place = body;
	if (fact->node > 0)
		place = at(json_object_get(body, "nodes"), fact->node, "node");
	if (fact->node > 0 && fact->source > 0 && place != NULL) {
		set_default(place, "sources", json_array());
		place = at(json_object_get(place, "sources"), fact->source, NULL);
	}
	return place;
}

bool json_explained_add(void *ctx, const struct viewd_explained *fact)
{
	json_t *place = place_of(ctx, fact);
	if (place == NULL)
		return true;
	switch (fact->kind) {
	case VIEWD_EXPLAINED_TEXT:
		json_object_set_new(place, fact->key, json_text(fact->text));
		break;
	case VIEWD_EXPLAINED_ITEM:
		set_default(place, fact->key, json_array());
		json_array_append_new(json_object_get(place, fact->key), json_text(fact->text));
		break;
	case VIEWD_EXPLAINED_NUMBER:
		json_object_set_new(place, fact->key, json_integer(fact->number));
		break;
	case VIEWD_EXPLAINED_FLAG:
		json_object_set_new(place, fact->key, json_boolean(fact->number != 0));
		break;
	case VIEWD_EXPLAINED_COUNT:
		break;
	}
	return true;
}
