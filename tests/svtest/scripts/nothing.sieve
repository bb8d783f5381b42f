# implicit keep
