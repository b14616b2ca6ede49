# Run by cpack before it packs. Files have the modes of the sources, folders those that the umask
# leaves, so both depend on who builds; with a umask of 077 the package would lock users out of /usr.
# CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS is no help: the umask applies to it, too.
execute_process(COMMAND chmod -R u=rwX,go=rX ${CPACK_TEMPORARY_DIRECTORY} COMMAND_ERROR_IS_FATAL ANY)
