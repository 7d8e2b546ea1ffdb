# Units, user, directories. The configuration is below /etc/viewd whatever the prefix.

units = systemd/viewd.service systemd/viewd@.service systemd/viewd-user.service
EXTRA_DIST += systemd/viewd.service.in systemd/viewd-user.service.in systemd/viewd.sysusers systemd/viewd.tmpfiles
CLEANFILES += $(units)

systemd/viewd.service systemd/viewd-user.service: Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SED) -e 's|@sbindir[@]|$(sbindir)|g' -e 's|@bindir[@]|$(bindir)|g' \
		'$(srcdir)/$@.in' >$@.tmp && mv $@.tmp $@
systemd/viewd.service: systemd/viewd.service.in

# One of several daemons: the same unit with a file, a socket and a directory of its own.
systemd/viewd@.service: systemd/viewd.service Makefile
	$(AM_V_GEN)$(SED) -e 's|/etc/viewd/viewd\.conf|/etc/viewd/%i.conf|' -e 's|^RuntimeDirectory=.*|&-%i|' -e 's|^StateDirectory=.*|&-%i|' \
		-e 's|^Description=.*|& (%i)|' -e 's|^# A local change.*|# viewd@NAME reads /etc/viewd/NAME.conf. Its socket: /run/viewd-NAME/control.sock. Pauses: /var/lib/viewd-NAME.\n#\n&|' \
		systemd/viewd.service >$@.tmp && mv $@.tmp $@
systemd/viewd-user.service: systemd/viewd-user.service.in

if INSTALL_SYSTEMD
nodist_systemdsystemunit_DATA = systemd/viewd.service systemd/viewd@.service

# Renamed on the way: the folders are shared with other packages, and both units have one name.
install-data-local: systemd/viewd-user.service
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)' '$(DESTDIR)$(tmpfilesdir)' '$(DESTDIR)$(systemduserunitdir)'
	$(INSTALL_DATA) '$(srcdir)/systemd/viewd.sysusers' '$(DESTDIR)$(sysusersdir)/viewd.conf'
	$(INSTALL_DATA) '$(srcdir)/systemd/viewd.tmpfiles' '$(DESTDIR)$(tmpfilesdir)/viewd.conf'
	$(INSTALL_DATA) systemd/viewd-user.service '$(DESTDIR)$(systemduserunitdir)/viewd.service'
uninstall-local:
	rm -f '$(DESTDIR)$(sysusersdir)/viewd.conf' '$(DESTDIR)$(tmpfilesdir)/viewd.conf' \
		'$(DESTDIR)$(systemduserunitdir)/viewd.service'
endif
