/* SPDX-License-Identifier: MIT
 *
 * viewctl.c: main.
 */
#include "client/client.h"

int main(int argc, char **argv)
{
	return client_main(argc, argv, stdout, stderr);
}
