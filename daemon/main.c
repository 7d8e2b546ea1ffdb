/* SPDX-License-Identifier: MIT
 *
 * main.c: hands argv to the daemon library.
 */
#include "daemon.h"

int main(int argc, char **argv)
{
	return daemon_main(argc, argv);
}
