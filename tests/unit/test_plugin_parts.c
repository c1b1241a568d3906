// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the plugin for libdmclient does by itself: one URI of Addr and port, what the device is */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "addr.h"
#include "device.h"

static void assert_addr(const char *addr, const char *type, const char *port, const char *wanted)
{
	char *whole = addr_whole(addr, type, port);

	assert_string_equal(whole, wanted);
	free(whole);
}

static void an_addr_has_its_port_in_it(void **state)
{
	(void)state;
	assert_addr("https://a/dm?x=:1", "URI", "8443", "https://a:8443/dm?x=:1");
	assert_addr("https://a", NULL, "8443", "https://a:8443");
	assert_addr("https://a/dm", "URI", NULL, "https://a/dm");
	assert_addr("https://a/dm", "URI", "", "https://a/dm");
	assert_addr("http://[2001:db8::7]/dm", "URI", "80", "http://[2001:db8::7]:80/dm");
	assert_addr("a/dm", "URI", "80", "a:80/dm");
}

static void a_port_in_the_addr_goes_first(void **state)
{
	(void)state;
	assert_addr("https://a:1/dm", "URI", "8443", "https://a:1/dm");
	assert_addr("http://[2001:db8::7]:1/dm", "URI", "80", "http://[2001:db8::7]:1/dm");
}

static void an_address_becomes_a_uri(void **state)
{
	(void)state;
	assert_addr("192.0.2.7", "IPv4", "80", "http://192.0.2.7:80");
	assert_addr("192.0.2.7", "IPv4", NULL, "http://192.0.2.7");
	assert_addr("2001:db8::7", "IPv6", "80", "http://[2001:db8::7]:80");
	assert_addr("2001:db8::7", "IPv6", NULL, "http://[2001:db8::7]");
}

/* A folder that stands for the root, and is gone after the test */
static int make_root(void **state)
{
	static char root[] = "/tmp/test_plugin_parts.XXXXXX";

	strcpy(strrchr(root, '.'), ".XXXXXX");
	*state = mkdtemp(root);
	return *state ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r '%s'", (char *)*state);
	return system(command);
}

static void put(const char *root, const char *path, const char *text, size_t len)
{
	char whole[512], *slash;
	FILE *file;

	snprintf(whole, sizeof(whole), "%s%s", root, path);
	for (slash = strchr(whole + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(whole, 0755);
		*slash = '/';
	}
	file = fopen(whole, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

#define PUT(path, text) put(*state, path, text, sizeof(text) - 1)

static void assert_device(void **state, const char *manufacturer, const char *model,
			  const char *language)
{
	struct device_info info;

	device_read(*state, &info);
	assert_string_equal(info.manufacturer, manufacturer);
	assert_string_equal(info.model, model);
	assert_string_equal(info.language, language);
}

static void nothing_is_known_of_a_device_that_says_nothing(void **state)
{
	assert_device(state, "unknown", "unknown", "en");
	PUT("/sys/class/dmi/id/sys_vendor", "To Be Filled By O.E.M.\n");
	PUT("/sys/class/dmi/id/product_name", "\n");
	PUT("/etc/locale.conf", "LANG=C.UTF-8\n");
	assert_device(state, "unknown", "unknown", "en");
}

static void firmware_of_pcs_is_asked_first(void **state)
{
	PUT("/sys/class/dmi/id/sys_vendor", "  Example Works \n");
	PUT("/sys/class/dmi/id/product_name", "One\tTwo\n");
	PUT("/proc/device-tree/model", "Other");
	PUT("/etc/default/locale", "# comment\nLANG=\"de_AT.UTF-8\"\n");
	assert_device(state, "Example Works", "One", "de-AT");
}

static void then_the_device_tree(void **state)
{
	char name[4 * DEVICE_TEXT_SIZE];

	PUT("/proc/device-tree/compatible", "example,phone-1\0example,soc");
	PUT("/proc/device-tree/model", "Example Phone 1\0");
	PUT("/etc/locale.conf", "LC_TIME=fr_FR\nLANG=pt\n");
	assert_device(state, "example", "Example Phone 1", "pt");
	memset(name, 'q', sizeof(name));
	put(*state, "/proc/device-tree/model", name, sizeof(name));
	name[DEVICE_TEXT_SIZE - 1] = '\0';
	assert_device(state, "example", name, "pt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_addr_has_its_port_in_it),
		cmocka_unit_test(a_port_in_the_addr_goes_first),
		cmocka_unit_test(an_address_becomes_a_uri),
		cmocka_unit_test_setup_teardown(nothing_is_known_of_a_device_that_says_nothing,
						make_root, remove_root),
		cmocka_unit_test_setup_teardown(firmware_of_pcs_is_asked_first, make_root,
						remove_root),
		cmocka_unit_test_setup_teardown(then_the_device_tree, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
