if header :contains "Sébject" "[31m" { keepp; } # é
