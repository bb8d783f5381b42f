if exists "Subject" {
	stop;
}
discard;
