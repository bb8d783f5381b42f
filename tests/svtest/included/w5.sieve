if header :matches "subject" "*a*b*c*d*e*f*0*1*2*3*4*5*6*7*8*9*?z" { stop; }
if header :matches "subject" "*a*b*c*d*e*f*0*1*2*3*4*5*6*7*8*9*?z" { stop; }
if header :matches "subject" "*a*b*c*d*e*f*0*1*2*3*4*5*6*7*8*9*?z" { stop; }
if header :matches "subject" "*a*b*c*d*e*f*0*1*2*3*4*5*6*7*8*9*?z" { stop; }
if header :matches "subject" "*a*b*c*d*e*f*0*1*2*3*4*5*6*7*8*9*?z" { stop; }
